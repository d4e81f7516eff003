/**
 * A service that makes thumbnails: `POST /thumbnail?width=160` with a JPEG answers a smaller one. Two workers do the work, so the
 * event loop goes on answering.
 *
 *     PORT=3000 node thumbnails.js
 */
import Fastify from 'fastify'
import jpeg from 'jpeg-js'
import { availableCores, dataflow, handleSignals, run } from 'millrace'

interface Order {
  readonly image: Uint8Array
  readonly width: number
}

/** Each pixel of the small picture is the mean of the pixels that it covers. */
function shrink({ image, width }: Order): Uint8Array {
  const from = jpeg.decode(image, { useTArray: true, maxMemoryUsageInMB: 256 })
  const scale = Math.max(1, from.width / width)
  const size = { width: Math.floor(from.width / scale), height: Math.max(1, Math.floor(from.height / scale)) }
  const data = new Uint8Array(size.width * size.height * 4)
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const place = (y * size.width + x) * 4
      const area = { left: x * scale, top: y * scale, side: scale }
      for (let channel = 0; channel < 4; channel++) data[place + channel] = mean(from, area, channel)
    }
  }
  return Uint8Array.from(jpeg.encode({ ...size, data }, 80).data)
}

function mean(
  { width, height, data }: { width: number; height: number; data: Uint8Array },
  { left, top, side }: { left: number; top: number; side: number },
  channel: number,
): number {
  let sum = 0
  let count = 0
  for (let y = Math.floor(top); y < Math.min(top + side, height); y++) {
    for (let x = Math.floor(left); x < Math.min(left + side, width); x++, count++) {
      sum += data[(y * width + x) * 4 + channel]!
    }
  }
  return Math.round(sum / count)
}

const graph = dataflow('thumbnails', import.meta.url)
  .source('orders', { push: true, window: 64 })
  .transform('shrink', { concurrency: Math.max(1, Math.floor(availableCores())), timeoutMs: 10_000, map: shrink })
  .sink('thumbnails')
  .connect('orders', 'shrink', { dataType: 'JPEG', laneBytes: 16 << 20 })
  .connect('shrink', 'thumbnails', { dataType: 'JPEG' })

export default graph

const pipeline = await run(graph)
const app = Fastify({ bodyLimit: 8 << 20 })
app.addContentTypeParser('image/jpeg', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
app.post<{ Querystring: { width: number }; Body: Buffer }>(
  '/thumbnail',
  { schema: { querystring: { type: 'object', properties: { width: { type: 'integer', minimum: 1, default: 160 } } } } },
  async ({ body, query }, reply) => {
    const thumbnail = (await pipeline.call('orders', { image: body, width: query.width })) as Uint8Array
    return reply.type('image/jpeg').send(Buffer.from(thumbnail))
  },
)
console.log(await app.listen({ port: Number(process.env['PORT'] ?? 3000) }))
handleSignals(pipeline, { server: app })
