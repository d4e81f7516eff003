import type { FiguresAnswer, GraphAnswer, PipelineList } from '#src/control/index.js'
import { ApiError, ask } from './api.ts'
import { byId, h } from './dom.ts'
import { act, notice } from './notices.ts'
import { PipelineView } from './pipeline-view.ts'

const RETRY_MS = 1_000

let wanted = ''
let shown: PipelineView | undefined

/** Shows a pipeline; one that still starts, as soon as it runs. */
async function open(name: string): Promise<void> {
  wanted = name
  document.title = `${name} · Millrace`
  for (const button of byId('pipelines').querySelectorAll('button')) {
    button.setAttribute('aria-pressed', String(button.dataset['name'] === name))
  }
  // What is there still would act on the pipeline that was shown before.
  shown?.close()
  shown = undefined
  setInert(true)
  await act(async () => {
    const [graph, figures] = await Promise.all([graphOf(name), ask<FiguresAnswer>('GET', 'figures')])
    if (wanted !== name || graph === undefined) return
    shown = new PipelineView(name, graph, figures)
    setInert(false)
  })
}

function setInert(isInert: boolean): void {
  for (const part of [byId('commands'), document.querySelector('main')!]) part.inert = isInert
}

/** Waits for a pipeline that starts; undefined where another was chosen meanwhile. */
async function graphOf(name: string): Promise<GraphAnswer | undefined> {
  if (wanted !== name) return undefined
  try {
    return await ask<GraphAnswer>('GET', `pipelines/${encodeURIComponent(name)}/graph`)
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'PIPELINE_STARTING') throw error
    notice(error.message)
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    return graphOf(name)
  }
}

async function start(): Promise<void> {
  await act(async () => {
    const { pipelines } = await ask<PipelineList>('GET', 'pipelines')
    byId('pipelines').replaceChildren(
      ...pipelines.map(({ name }) =>
        h(
          'button',
          { type: 'button', 'data-name': name, click: () => (location.hash = encodeURIComponent(name)) },
          name,
        ),
      ),
    )
    const asked = decodeURIComponent(location.hash.slice(1))
    const first = pipelines.find(({ name }) => name === asked) ?? pipelines[0]
    if (first === undefined) throw new Error('No pipeline found.')
    void open(first.name)
  })
}

addEventListener('hashchange', () => void open(decodeURIComponent(location.hash.slice(1))))
await start()
