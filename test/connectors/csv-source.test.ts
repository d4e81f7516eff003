import { cursorGuarantees } from './cursor-guarantees.js'
import { startRows } from './local-files.js'

cursorGuarantees({
  name: 'csvSource',
  module: new URL('./modules/local.js', import.meta.url).href,
  maker: 'csvIn',
  isLocal: true,
  start: startRows,
})
