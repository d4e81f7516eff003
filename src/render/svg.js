import { MillraceError } from '../errors.js'
import { toDot } from './dot.js'
/**
 * The graph as SVG, laid out by Graphviz. `@viz-js/viz`, an optional peer, is loaded at the first call. The same graph,
 * options and version of Graphviz give the same text.
 * @throws SVG_RENDERER_MISSING where it is not installed; SVG_NOT_DRAWN where Graphviz refuses; THEME_UNKNOWN
 */
export async function toSvg(graph, options = {}) {
  const dot = toDot(graph, options)
  const viz = await graphviz()
  const result = viz.render(dot, { format: 'svg' })
  if (result.status === 'success') return centred(result.output)
  const reason = result.errors.map(({ message }) => message).join('; ')
  throw new MillraceError('SVG_NOT_DRAWN', { graph: graph.name, reason })
}
/** One Graphviz for all pictures: it takes a second to start. */
let started
function graphviz() {
  started ??= import('@viz-js/viz').then(
    ({ instance }) => instance(),
    (cause) => {
      started = undefined
      throw new MillraceError('SVG_RENDERER_MISSING', {}, { cause })
    },
  )
  return started
}
/**
 * Graphviz measures bold text as regular and sets each line where it would begin. The lines of a node are set around the
 * middle of its outline again, so that they stay there whatever font draws them.
 */
function centred(svg) {
  return svg
    .split(/(?=<g id="[^"]*" class=)/)
    .map((group) => {
      const outline =
        /^<g id="[^"]*" class="node (?:source|transform|buffer|conditional|merge|sink)">[^]*?\s(?:points|d)="([^"]*)"/.exec(
          group,
        )?.[1]
      if (outline === undefined) return group
      const xs = [...outline.matchAll(/(-?[\d.]+),-?[\d.]+/g)].map(([, x]) => Number(x))
      const middle = (Math.min(...xs) + Math.max(...xs)) / 2
      return group.replaceAll(/text-anchor="start" x="[^"]*"/g, `text-anchor="middle" x="${middle.toFixed(2)}"`)
    })
    .join('')
}
