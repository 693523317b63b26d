/** Aborts on the first Ctrl-C or SIGTERM, so that work can end cleanly; a second one ends the process at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController()
  const ask = () => (controller.signal.aborted ? process.exit(130) : controller.abort())
  process.on('SIGINT', ask)
  process.on('SIGTERM', ask)
  return controller.signal
}
