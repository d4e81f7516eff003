/** Writes events to segments until it is killed: `node segment-writer.js DIRECTORY`. Prints how many are surely written. */
import { SegmentStore } from '#src/trace/store/segments/segment-store.js'
import { play } from './model.js'

const { run, events } = play(12, { chunks: 300 })
const store = new SegmentStore(process.argv[2]!, { blockEvents: 256, segmentBytes: 60_000 })
await store.begin(run)
for (let sequence = 0; ;) {
  for (let i = 0; i < 1_000; i++) store.write([{ ...events[sequence % events.length]!, sequence: sequence++ }])
  await store.flush()
  process.stdout.write(`${sequence}\n`)
}
