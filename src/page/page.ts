import type { FiguresAnswer, GraphAnswer, ImportList, PipelineList } from '#src/control/index.js'
import { ApiError, ask } from './api.ts'
import { byId, h } from './dom.ts'
import { FlowsView } from './flows-view.ts'
import { ImportsView } from './imports-view.ts'
import { act, notice } from './notices.ts'
import { PipelineView } from './pipeline-view.ts'
import { Tabs } from './tabs.ts'
import { TraceTab } from './trace-tab.ts'

const RETRY_MS = 1_000
/** What stands in the address for the tab of imports: no pipeline's name, encoded, begins like it. */
const IMPORTS = '/imports'
/** The same of flows. */
const FLOWS = '/flows'

let wanted = ''
let shown: PipelineView | undefined
let imports: ImportsView | undefined
let flows: FlowsView | undefined
let traces: TraceTab | undefined

const tabs = new Tabs()
tabs.add('pipeline', 'Pipeline')
tabs.add('traces', 'Traces', (isShown) => traces?.shown(isShown))

/** Shows a pipeline, and one that still starts as soon as it runs; or the imports; or the flows. */
async function open(name: string): Promise<void> {
  wanted = name
  const [isImports, isFlows] = [name === IMPORTS, name === FLOWS]
  document.title = `${titleOf(name)} · Millrace`
  for (const button of byId('pipelines').querySelectorAll('button')) {
    button.setAttribute('aria-pressed', String(button.dataset['name'] === name))
  }
  // What is there still would act on the pipeline that was shown before.
  shown?.close()
  traces?.close()
  shown = undefined
  traces = undefined
  imports?.close()
  flows?.close()
  byId('imports').hidden = !isImports
  byId('flows').hidden = !isFlows
  tabs.hide(isImports || isFlows)
  if (isImports || isFlows) {
    byId('status').replaceChildren()
    byId('commands').replaceChildren()
    if (isImports) (imports ??= new ImportsView()).open()
    else (flows ??= new FlowsView()).open()
    return
  }
  setInert(true)
  await act(async () => {
    const [graph, figures] = await Promise.all([graphOf(name), ask<FiguresAnswer>('GET', 'figures')])
    if (wanted !== name || graph === undefined) return
    traces = new TraceTab(name, graph)
    traces.shown(tabs.shown === 'traces')
    shown = new PipelineView(name, graph, figures, (query, text) => {
      tabs.show('traces')
      traces?.narrow(query, text)
    })
    setInert(false)
  })
}

function setInert(isInert: boolean): void {
  for (const part of [byId('commands'), byId('pipeline'), byId('traces')]) part.inert = isInert
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
    const [{ pipelines }, served] = await Promise.all([
      ask<PipelineList>('GET', 'pipelines'),
      ask<ImportList>('GET', 'imports'),
    ])
    const names = [
      ...(document.documentElement.dataset['flows'] === undefined ? [] : [FLOWS]),
      ...pipelines.map(({ name }) => name),
      ...(served.imports.length > 0 ? [IMPORTS] : []),
    ]
    byId('pipelines').replaceChildren(...names.map(tab))
    const asked = decodeURIComponent(location.hash.slice(1))
    const first = names.find((name) => name === asked) ?? names[0]
    if (first === undefined) throw new Error('No pipeline found.')
    void open(first)
  })
}

function tab(name: string): HTMLElement {
  const isOwn = name === IMPORTS || name === FLOWS
  const go = (): void => void (location.hash = isOwn ? name : encodeURIComponent(name))
  return h('button', { type: 'button', 'data-name': name, click: go }, titleOf(name))
}

function titleOf(name: string): string {
  return name === IMPORTS ? 'Imports' : name === FLOWS ? 'Flows' : name
}

addEventListener('hashchange', () => void open(decodeURIComponent(location.hash.slice(1))))
await start()
