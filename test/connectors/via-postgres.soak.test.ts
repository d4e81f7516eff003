import { viaGuarantees } from './via-guarantees.js'

viaGuarantees('postgres', 50)
