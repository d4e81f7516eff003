/** A service under fake timers: `node faked.js [METHOD,…]`; without methods all that can be faked is. Prints what came of it. */
import FakeTimers from '@sinonjs/fake-timers'
import { run } from 'millrace'
import { doubled, unread } from './graphs.js'

const [methods] = process.argv.slice(2)
const toFake = methods === undefined ? {} : { toFake: methods.split(',') as FakeTimers.FakeMethod[] }
const clock = FakeTimers.install(toFake)
const pipeline = await run(doubled)
const answers = await Promise.all([1, 2, 3, 4].map((n) => pipeline.call('in', n)))
const drained = await pipeline.drain({ deadlineMs: 60_000 })
const stopped = await (await run(doubled)).stop()
const late = await run(unread)
await late.push('in', 1)
const overdue = await late.drain({ deadlineMs: 50 })
const faked = clock.methods
clock.uninstall()
process.stdout.write(
  JSON.stringify({
    faked: faked.length,
    answers,
    drained: [drained.outcome, drained.deadlinePassed],
    stopped: [stopped.outcome, stopped.deadlinePassed],
    overdue: [overdue.outcome, overdue.deadlinePassed],
  }),
)
