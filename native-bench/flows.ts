import { flow } from 'millrace/flow'
import { work } from './work.ts'

/** One step that does so many steps of work. */
export const oneStep = flow('oneStep', import.meta.url).step('work', { map: work })

/** Four steps: one, two side by side, and one that joins them; each does as much work. */
export const diamond = diamondOf('diamond', false)
/** The same with a store in mind. */
export const keptDiamond = diamondOf('keptDiamond', true)

function diamondOf(name: string, keepSteps: boolean) {
  return flow(name, import.meta.url, { keepSteps })
    .step('first', {
      map: (steps: number) => {
        work(steps)
        return steps
      },
    })
    .step('left', { map: work })
    .step('right', { map: work })
    .step('both', { join: ({ left, right }) => left + right })
    .edge('first', 'left')
    .edge('first', 'right')
    .edge('left', 'both')
    .edge('right', 'both')
}
