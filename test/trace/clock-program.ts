/** A traced pipeline whose wall clock is set forward by an hour while it runs, and back: prints what its events and its tracer say. */
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from 'millrace'
import { stream } from './graphs.js'

const steps = globalThis as unknown as { stepClock: (ms: number) => void }
const pipeline = await run(stream, { trace: { rate: 1, recent: 100_000 } })
const lags: number[] = []
for (const ms of [3_600_000, -7_200_000]) {
  steps.stepClock(ms)
  for (let look = 0; look < 10; look++) {
    await sleep(20)
    lags.push((await pipeline.tracing!.metrics()).lagMs)
  }
}
const before = pipeline.snapshot().nodes['end']!.done
while (pipeline.snapshot().nodes['end']!.done <= before) await sleep(5)
await pipeline.stop()
const events = (await pipeline.tracing!.recent()).flatMap((trace) => trace.events)
const times = events.flatMap(({ takenAt, handedOffAt, inputs }) => [
  takenAt,
  handedOffAt,
  ...inputs.flatMap(({ writtenAt }) => writtenAt ?? []),
])
process.stdout.write(
  JSON.stringify({
    events: events.length,
    spanMs: Math.max(...times) - Math.min(...times),
    lagMs: Math.max(...lags),
    isForward: events.every(({ takenAt, handedOffAt }) => handedOffAt >= takenAt),
  }),
)
