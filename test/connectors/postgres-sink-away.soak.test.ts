import { sinkGuarantees } from './guarantees.js'
import { findPostgres } from './postgres-server.js'

sinkGuarantees({
  isSoak: true,
  name: 'postgresSink',
  module: new URL('./modules/postgres.js', import.meta.url).href,
  maker: 'postgresOut',
  start: () => findPostgres('sink'),
  isExactlyOnce: true,
})
