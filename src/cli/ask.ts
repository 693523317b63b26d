import { stderr, stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'

/** Asks a person at a terminal to type `yes`. False when nobody is there to ask, or they type anything else. */
export async function asksYes(question: string): Promise<boolean> {
  if (!stdin.isTTY || !stderr.isTTY) return false
  const terminal = createInterface({ input: stdin, output: stderr })
  try {
    return (await terminal.question(`${question} Type yes to go on: `)).trim().toLowerCase() === 'yes'
  } finally {
    terminal.close()
  }
}
