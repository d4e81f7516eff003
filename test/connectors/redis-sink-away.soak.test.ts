import { sinkGuarantees } from './guarantees.js'
import { startRedis } from './redis-server.js'

sinkGuarantees({
  isSoak: true,
  name: 'redisSink',
  module: new URL('./modules/redis.js', import.meta.url).href,
  maker: 'redisOut',
  start: () => startRedis('sink'),
  isExactlyOnce: true,
})
