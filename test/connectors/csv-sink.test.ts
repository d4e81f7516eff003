import { sinkGuarantees } from './guarantees.js'
import { startAppended } from './local-files.js'

sinkGuarantees({
  name: 'csvSink',
  module: new URL('./modules/local.js', import.meta.url).href,
  maker: 'csvOut',
  isLocal: true,
  start: startAppended('csv'),
  isExactlyOnce: true,
})
