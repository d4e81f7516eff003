import { runFlow } from 'millrace/flow'
import { folder } from './documents.ts'

const [path = 'docs'] = process.argv.slice(2)
await using running = await runFlow(folder)
const { files, words, largest } = await running.execute(path)
console.log(
  `${files} files with ${words} words${largest === undefined ? '' : `; the largest picture is ${largest.path}`}`,
)
