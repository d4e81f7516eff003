import { viaGuarantees } from './via-guarantees.js'

viaGuarantees('redis', 50)
