import { sinkGuarantees } from './guarantees.js'
import { startNats } from './nats-server.js'

sinkGuarantees({
  isLong: true,
  name: 'natsSink',
  module: new URL('./modules/nats.js', import.meta.url).href,
  maker: 'natsOut',
  start: () => startNats('sink'),
  isExactlyOnce: true,
})
