import { monotonicMs, sleep } from '../../time.ts'
/** What this thread's heap holds, in bytes; resident memory is the whole process's. */
export function inspect(): { readonly heapUsedBytes: number; readonly rssBytes: number; readonly uptimeMs: number } {
  const { heapUsed, rss } = process.memoryUsage()
  return { heapUsedBytes: heapUsed, rssBytes: rss, uptimeMs: monotonicMs() }
}

/** Profiles this thread's code for so long; returns what a `.cpuprofile` file holds. */
export async function profile(ms: number): Promise<unknown> {
  const { Session } = await import('node:inspector/promises')
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    await sleep(ms)
    return (await session.post('Profiler.stop')).profile
  } finally {
    session.disconnect()
  }
}
