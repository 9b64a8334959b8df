/** For tests only; no shipped file imports this. */
export { type Decoded, type Decoder, decodePieces, feedEveryWay } from './feed.ts';
export { type FixedPlatform, fixedPlatform, settled } from './fixed-platform.ts';
export { type StreamPair, streamPair } from './pair.ts';
export { type ScriptOutcome, type ScriptStep, scriptedPeer } from './scripted-peer.ts';
