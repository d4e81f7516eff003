import { cursorGuarantees } from './cursor-guarantees.js'
import { startLines } from './local-files.js'

cursorGuarantees({
  name: 'ndjsonSource',
  module: new URL('./modules/local.js', import.meta.url).href,
  maker: 'ndjsonIn',
  isLocal: true,
  start: startLines(false),
})
