/** What stands in for `lane/texts.ts`: no lane of a program carries texts. */
export class Texts {
  texts(): readonly string[] {
    return []
  }
}

export function laneTexts(): undefined {
  return undefined
}
