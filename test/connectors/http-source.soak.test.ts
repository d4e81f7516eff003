import { sourceGuarantees } from './guarantees.js'
import { startSender } from './http-server.js'

sourceGuarantees({
  isLong: true,
  name: 'webhookSource',
  module: new URL('./modules/http.js', import.meta.url).href,
  maker: 'httpIn',
  start: startSender,
  isLocal: true,
  isUncounted: true,
})
