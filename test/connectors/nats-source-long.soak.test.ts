import { sourceGuarantees } from './guarantees.js'
import { startNats } from './nats-server.js'

sourceGuarantees({
  isLong: true,
  name: 'natsSource',
  module: new URL('./modules/nats.js', import.meta.url).href,
  maker: 'natsIn',
  start: () => startNats('source'),
})
