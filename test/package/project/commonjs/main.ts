import { run } from 'millrace'
import { graph } from './graph'

async function main(): Promise<void> {
  const pipeline = await run(graph)
  const records: number[] = []
  for await (const record of pipeline.output('out')) records.push(record as number)
  process.stdout.write(`${JSON.stringify(records.sort((a, b) => a - b))}\n`)
}

void main()
