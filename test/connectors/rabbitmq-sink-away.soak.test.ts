import { sinkGuarantees } from './guarantees.js'
import { findRabbitmq } from './rabbitmq-server.js'

sinkGuarantees({
  isSoak: true,
  name: 'rabbitmqSink',
  module: new URL('./modules/rabbitmq.js', import.meta.url).href,
  maker: 'rabbitmqOut',
  start: () => findRabbitmq('sink'),
})
