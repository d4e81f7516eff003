import { viaGuarantees } from './via-guarantees.js'

viaGuarantees('nats', 50, 'kills')
