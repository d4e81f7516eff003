import { viaGuarantees } from './via-guarantees.js'

// The rest is in the soak tests: over NATS all of it runs here.
viaGuarantees('redis', 0, 'way')
