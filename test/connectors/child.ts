/** A process that runs one graph until it is killed or told to end: `child.js MODULE MAKER PARAMS`. */
import { type GraphMaker, handleSignals, run } from 'millrace'

const [module, maker, params] = process.argv.slice(2)
const loaded = (await import(module!)) as Record<string, GraphMaker>
const pipeline = await run(loaded[maker!]!, { params: JSON.parse(params!) as unknown })
handleSignals(pipeline)
process.send?.('ready')
