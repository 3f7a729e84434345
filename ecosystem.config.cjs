// For PM2 7: `npm ci && npm run build`, then `pm2 start ecosystem.config.cjs`. Other arguments go into `args`.
// `pm2 save` and `pm2 startup` bring it back after a reboot.
module.exports = {
  apps: [
    {
      name: 'vigil',
      // Not `npm start`: PM2 signals one process, and it should be the daemon itself.
      script: 'dist/main.js',
      cwd: __dirname,
      // Cluster mode is for programs that share a port. One daemon owns the cameras and their spool.
      exec_mode: 'fork',
      instances: 1,

      // Started is when frames flow. An embedded RabbitMQ may take 60 s on a busy machine; PM2 waits 3 s by default.
      wait_ready: true,
      listen_timeout: 90_000,

      // The daemon stops its actors and servers in order, and needs its time: PM2 allows 1.6 s by default.
      kill_timeout: 15_000,
      // PM2 would signal the whole tree, leaves first: cameras, store and servers would die under the daemon
      // before their frames are stored. What outlives a daemon killed by force is ended by the kernel.
      treekill: false,

      // From 0.1 s by half more each time to at most 15 s; PM2 forgets the delay after 30 s of running.
      exp_backoff_restart_delay: 100,
      // A restart changes nothing about wrong arguments (2) or an invalid configuration (78): it stays stopped, and
      // its log says what to do. All else is started again: what is missing (69) may have been installed meanwhile;
      // a clean end too when PM2 did not ask for it: someone's stray SIGTERM should not stop the cameras.
      // PM2 7 shows such an app as "waiting restart" without a pid, because of the back-off; it will not restart it.
      stop_exit_codes: [2, 78],

      // PM2 looks at the daemon's own process only, not at its actors, which the daemon watches itself.
      // It uses about 100 MB: more than five times that is a leak.
      max_memory_restart: '512M',

      // Each line of the log is a JSON record with its own time.
      time: false,
      merge_logs: true,
      // Files below this folder change all the time: the data are among them.
      watch: false,
      // PM2 would ask git about the folder, and load its own agent into the daemon.
      vizion: false,
      pmx: false,
      env: { NODE_ENV: 'production' },
    },
  ],
};
