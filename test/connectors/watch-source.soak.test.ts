import { sourceGuarantees } from './guarantees.js'
import { startDirectory } from './local-files.js'

sourceGuarantees({
  name: 'watchSource',
  module: new URL('./modules/local.js', import.meta.url).href,
  maker: 'watchIn',
  isLocal: true,
  start: startDirectory,
})
