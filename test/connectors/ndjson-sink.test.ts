import { sinkGuarantees } from './guarantees.js'
import { startAppended } from './local-files.js'

sinkGuarantees({
  name: 'ndjsonSink',
  module: new URL('./modules/local.js', import.meta.url).href,
  maker: 'ndjsonOut',
  isLocal: true,
  start: startAppended('ndjson'),
  isExactlyOnce: true,
})
