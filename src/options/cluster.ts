import type { OptionTable } from './spec.ts'

/** Options of clusters. */
export const CLUSTER_OPTIONS = {
  label: { type: 'string', text: 'Name in drawings. Default: the id.' },
  parent: { type: 'string', text: 'Id of the cluster that holds this one.' },
  style: { type: 'string', text: 'Graphviz style.' },
  fillcolor: { type: 'string', text: 'Fill.' },
  color: { type: 'string', text: 'Border.' },
} as const satisfies OptionTable
