import { sinkGuarantees } from './guarantees.js'
import { findPostgres } from './postgres-server.js'

sinkGuarantees({
  name: 'postgresSink',
  module: new URL('./modules/postgres.js', import.meta.url).href,
  maker: 'postgresOut',
  isLong: true,
  start: () => findPostgres('sink'),
  isExactlyOnce: true,
})
