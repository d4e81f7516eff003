import { viaGuarantees } from './via-guarantees.js'

// Parts that are killed are in the soak tests: those over NATS show the same way.
viaGuarantees('redis', 0)
