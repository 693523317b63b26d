/** Tells a person at a terminal, or a program reading NDJSON, how far a long command is. Writes to stderr only. */
export type Progress = { step(mails: number, outcome: string): void; end(): void }

const width = 32

/** A bar on a terminal, plain lines elsewhere, NDJSON with `json`. */
export function startProgress(label: string, total: number, { json }: { json: boolean }): Progress {
  let done = 0
  const isTerminal = process.stderr.isTTY === true && !json
  const show = (outcome: string) => {
    if (json) return process.stderr.write(`${JSON.stringify({ progress: label, done, total, outcome })}\n`)
    if (!isTerminal)
      return process.stderr.write(
        `${label}: ${done} of ${total}${outcome === 'accepted' ? '' : ` (${outcome})`}\n`,
      )
    const filled = total === 0 ? width : Math.min(width, Math.round((width * done) / total))
    return process.stderr.write(
      `\r${label} ${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${done} of ${total}`,
    )
  }
  return {
    step(mails, outcome) {
      if (outcome === 'accepted' || outcome === 'rejected')
        done += outcome === 'rejected' && mails > 1 ? 0 : mails
      show(outcome)
    },
    end() {
      if (isTerminal && total > 0) process.stderr.write('\n')
    },
  }
}
