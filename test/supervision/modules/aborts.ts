/** A program that gives the start of a pipeline up, and then has nothing left to do. */
import { setEnvironmentData } from 'node:worker_threads'
import { run } from 'millrace'
import { HANGING, looping } from '../slow-starts.js'

const steps = new Int32Array(new SharedArrayBuffer(16))
setEnvironmentData('steps', steps.buffer)
const controller = new AbortController()
const looking = setInterval(() => {
  if (Atomics.load(steps, HANGING) > 0) controller.abort(new Error('changed my mind'))
}, 5)
await run(looping, { signal: controller.signal }).catch((error: Error) => process.stdout.write(`${error.message}\n`))
clearInterval(looking)
