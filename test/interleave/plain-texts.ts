/** What stands in for `lane/texts.ts` in whole workers: no lane of theirs carries texts. */
export class Texts {
  readonly owner = {}
  readonly maxTextBytes = 0

  texts(): readonly string[] {
    return []
  }
}

export function laneTexts(): undefined {
  return undefined
}
