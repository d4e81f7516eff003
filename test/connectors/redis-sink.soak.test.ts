import { sinkGuarantees } from './guarantees.js'
import { startRedis } from './redis-server.js'

sinkGuarantees({
  name: 'redisSink',
  module: new URL('./modules/redis.js', import.meta.url).href,
  maker: 'redisOut',
  isLong: true,
  start: () => startRedis('sink'),
  isExactlyOnce: true,
})
