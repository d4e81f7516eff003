import { cursorGuarantees } from './cursor-guarantees.js'
import { startLines } from './local-files.js'

cursorGuarantees({
  name: 'tailSource',
  module: new URL('./modules/local.js', import.meta.url).href,
  maker: 'tailIn',
  isLocal: true,
  start: startLines(true),
})
