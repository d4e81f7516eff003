/** Every problem that a flow may have beside those of its graph. A code is never renamed and never reused. */
export const FLOW_PROBLEMS = {
  FLOW_EMPTY: { text: 'The flow has no step.', fix: 'Add a step.' },
  FLOW_NAME_INVALID: {
    text: 'A name of a step, branch or flow cannot be used.',
    fix: 'Use a text without `.` and parentheses, other than `request` and `answer`.',
  },
  FLOW_NAME_DUPLICATE: { text: 'Two steps have the same name.', fix: 'Rename one of them.' },
  FLOW_EDGE_UNKNOWN: { text: 'An edge names a step that does not exist.', fix: 'Correct the name, or add the step.' },
  FLOW_EDGE_DUPLICATE: { text: 'Two edges lead from one step to the same step.', fix: 'Remove one of them.' },
  FLOW_CYCLE: {
    text: 'Steps wait for each other.',
    fix: 'Remove an edge of the cycle. To try a step again, use `retry`.',
  },
  FLOW_ENTRY_SEVERAL: {
    text: 'Several steps have no step before them, so it is not said which of them gets the input.',
    fix: 'Put one step before them, or connect them.',
  },
  FLOW_END_SEVERAL: {
    text: 'Several steps have no step after them, so it is not said which of them gives the answer.',
    fix: 'Join them in one step, or connect them.',
  },
  FLOW_JOIN_MISSING: {
    text: 'A part has several steps before it, and nothing that joins their answers.',
    fix: 'Add `join` to the step. Before a branch, `forEach` or subflow put a step with `join`.',
  },
  FLOW_JOIN_UNUSED: {
    text: 'A step has `join` and only one step before it.',
    fix: 'Use `map`, or add the missing edge.',
  },
  FLOW_HANDLER_MISSING: { text: 'A part has no function that does its work.', fix: 'Add the function that is named.' },
  FLOW_BRANCH_EMPTY: { text: 'A branch has no branches.', fix: 'Add flows to `branches`.' },
  FLOW_OPTION_INVALID: {
    text: 'An option of a flow has a value that it cannot have.',
    fix: 'Use a value as described.',
  },
} as const satisfies Record<string, { readonly text: string; readonly fix: string }>

export type FlowProblemCode = keyof typeof FLOW_PROBLEMS

/** One finding. */
export interface FlowProblem {
  readonly code: FlowProblemCode
  readonly message: string
  readonly fix: string
  /** The step, with the names of the parts around it. */
  readonly step?: string
}
