import type { OptionTable } from './spec.ts'

/** Options of clusters. */
export const CLUSTER_OPTIONS = {
  label: { type: 'string', text: 'Name in drawings. Default: the id.' },
  parent: { type: 'string', text: 'Id of the cluster that contains this cluster.' },
  style: { type: 'string', text: 'Graphviz style.' },
  fillcolor: { type: 'string', text: 'Fill colour.' },
  color: { type: 'string', text: 'Border colour.' },
} as const satisfies OptionTable
