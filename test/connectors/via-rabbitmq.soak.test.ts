import { viaGuarantees } from './via-guarantees.js'

viaGuarantees('rabbitmq', 50)
