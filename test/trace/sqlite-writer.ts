/** Writes events to a SQLite file until it is killed: `node sqlite-writer.js FILE`. Prints how many are surely written. */
import { SqliteStore } from '#src/trace/store/sql/sqlite-store.js'
import { play } from './model.js'

const { events } = play(12, { chunks: 300 })
const store = await SqliteStore.open(process.argv[2]!, { batch: 200 })
for (let sequence = 0; ;) {
  for (let i = 0; i < 500; i++) store.write([{ ...events[sequence % events.length]!, sequence: sequence++ }])
  await store.flush()
  process.stdout.write(`${sequence}\n`)
}
