import { viaGuarantees } from './via-guarantees.js'

viaGuarantees('nats', 1)
