import { viaGuarantees } from './via-guarantees.js'

// Parts that are killed are in the soak tests: a lease is long.
viaGuarantees('rabbitmq', 0)
