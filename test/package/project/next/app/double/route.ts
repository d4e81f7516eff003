import { pipeline } from '../../lib/pipeline'

export const dynamic = 'force-dynamic'

export async function GET(request: Request) {
  const n = Number(new URL(request.url).searchParams.get('n'))
  return Response.json(await (await pipeline()).call('in', n))
}
