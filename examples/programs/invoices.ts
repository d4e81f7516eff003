/**
 * Makes a PDF of each invoice, on every core. An invoice that cannot be drawn costs only itself: it is listed with its error.
 *
 *     node invoices.js invoices.ndjson FOLDER
 */
import { createReadStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { availableCores, dataflow, type Failure, run } from 'millrace'
import { PDFDocument, StandardFonts } from 'pdf-lib'

interface Params {
  readonly input: string
  readonly folder: string
}

interface Invoice {
  readonly number: string
  readonly customer: string
  readonly items: readonly { readonly name: string; readonly count: number; readonly cents: number }[]
}

interface Drawn {
  readonly name: string
  readonly pdf: Uint8Array
}

const A4: [number, number] = [595, 842]
const euros = (cents: number): string => `${(cents / 100).toFixed(2)} EUR`

async function draw({ number, customer, items }: Invoice): Promise<Drawn> {
  if (!/^[\w-]+$/.test(number)) throw new Error(`An invoice needs a number of letters and digits, not "${number}".`)
  const pdf = await PDFDocument.create()
  pdf.setTitle(`Invoice ${number}`)
  const page = pdf.addPage(A4)
  const font = await pdf.embedFont(StandardFonts.Helvetica)
  const total = items.reduce((sum, { count, cents }) => sum + count * cents, 0)
  const lines = [
    `Invoice ${number}`,
    customer,
    '',
    ...items.map(({ name, count, cents }) => `${count} x ${name}: ${euros(count * cents)}`),
    '',
    `Total: ${euros(total)}`,
  ]
  lines.forEach((line, index) => page.drawText(line, { x: 60, y: 770 - 20 * index, size: index === 0 ? 20 : 12, font }))
  return { name: `${number}.pdf`, pdf: await pdf.save() }
}

const graph = dataflow<Params>('invoices', import.meta.url)
  .source('invoices', { chunk: 16, produce: ({ params }) => createInterface(createReadStream(params.input)) })
  .transform('parse', { map: (line: string) => JSON.parse(line) as Invoice })
  .transform('draw', { concurrency: Math.max(1, Math.floor(availableCores())), maxInFlight: 1, map: draw })
  .sink('files', {
    setup: ({ params }) => mkdir(params.folder, { recursive: true }),
    maxInFlight: 8,
    write: ({ name, pdf }, { params }) => writeFile(join(params.folder, name), pdf),
  })
  .sink('refused', {
    write: ({ input, error }: Failure) => console.error(`${JSON.stringify(input)}: ${error.message}`),
  })
  .connect('invoices', 'parse', { fuse: true })
  .connect('parse', 'draw', { dataType: 'invoice' })
  .connect('draw', 'files', { dataType: 'PDF' })
  .connect('parse', 'refused', { pathType: 'dead_letter' })
  .connect('draw', 'refused', { pathType: 'dead_letter' })

export default graph

const [input = 'invoices.ndjson', folder = 'invoices'] = process.argv.slice(2)
const pipeline = await run(graph, { params: { input, folder } })
const { nodes, seconds } = await pipeline.finished
console.log(`${nodes['files']!.done} invoices, ${nodes['refused']!.done} refused, in ${seconds.toFixed(2)} s`)
