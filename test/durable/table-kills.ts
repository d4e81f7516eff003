import postgres from 'postgres'
import { Random } from '#src/test-kit/random.js'
import { URL_HERE } from '../connectors/postgres-server.js'
import { isThere } from '../connectors/servers.js'
import { type Outcome, killOften } from './kills.js'

/** Why there is no such test here; false where there is one. */
export async function isPostgresAway(): Promise<string | false> {
  return (await isThere(Number(URL_HERE.port))) ? false : `nothing listens on ${URL_HERE.host}`
}

/** Kills a service whose sink is a table, with the stable id as its key. */
export async function killIntoTable(kills: number, seed: number, onKill?: (kills: number) => void): Promise<Outcome> {
  const sql = postgres(URL_HERE.href, { max: 1, onnotice: () => undefined })
  const name = `millrace_durable_${process.pid}_${seed}`
  await sql`create table ${sql(name)} (id text primary key, n bigint not null)`
  try {
    return await killOften({
      kind: 'table',
      kills,
      random: new Random(seed),
      place: { url: URL_HERE.href, table: name },
      rowsOf: async () => (await sql`select id, n from ${sql(name)}`).map(({ id, n }) => `${id} ${n}`),
      ...(onKill === undefined ? {} : { onKill }),
    })
  } finally {
    await sql`drop table ${sql(name)}`
    await sql.end()
  }
}
