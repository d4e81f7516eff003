import { sourceGuarantees } from './guarantees.js'
import { startRedis } from './redis-server.js'

sourceGuarantees({
  name: 'redisSource',
  module: new URL('./modules/redis.js', import.meta.url).href,
  maker: 'redisIn',
  start: () => startRedis('source'),
})
