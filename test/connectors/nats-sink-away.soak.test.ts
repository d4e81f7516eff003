import { sinkGuarantees } from './guarantees.js'
import { startNats } from './nats-server.js'

sinkGuarantees({
  isSoak: true,
  name: 'natsSink',
  module: new URL('./modules/nats.js', import.meta.url).href,
  maker: 'natsOut',
  start: () => startNats('sink'),
  isExactlyOnce: true,
})
