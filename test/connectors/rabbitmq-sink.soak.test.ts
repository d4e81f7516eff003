import { sinkGuarantees } from './guarantees.js'
import { findRabbitmq } from './rabbitmq-server.js'

sinkGuarantees({
  name: 'rabbitmqSink',
  module: new URL('./modules/rabbitmq.js', import.meta.url).href,
  maker: 'rabbitmqOut',
  isLong: true,
  start: () => findRabbitmq('sink'),
})
