import { sourceGuarantees } from './guarantees.js'
import { findRabbitmq } from './rabbitmq-server.js'

sourceGuarantees({
  name: 'rabbitmqSource',
  module: new URL('./modules/rabbitmq.js', import.meta.url).href,
  maker: 'rabbitmqIn',
  start: () => findRabbitmq('source'),
})
