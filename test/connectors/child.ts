/** A process that runs one graph, or one part of it, until it is killed or told to end: `child.js MODULE MAKER PARAMS [PART]`. */
import { type GraphMaker, handleSignals, run } from 'millrace'

const [module, maker, params, part] = process.argv.slice(2)
const loaded = (await import(module!)) as Record<string, GraphMaker>
const pipeline = await run(loaded[maker!]!, { params: JSON.parse(params!) as unknown, ...(part && { part }) })
handleSignals(pipeline)
process.send?.('ready')
