/**
 * The session variables of MariaDB and MySQL, one by one: what a session of ours sets, and why the others are left as the server
 * has them. A server gives each new session its global value, which a host may have changed for reasons of its own. A test
 * holds the list of each server against this one, so that a variable that a newer server brings is decided on.
 */

/** What every connection sets, on servers that know the variable, as SQL text. Session isolation and sql_mode: session.ts. */
export const SESSION_SETTINGS: ReadonlyMap<string, string> = new Map([
  // What would change what our statements do, or refuse them.
  ['alter_algorithm', "'DEFAULT'"],
  ['autocommit', '1'],
  ['check_constraint_checks', '1'],
  ['completion_type', "'NO_CHAIN'"],
  ['default_regex_flags', "''"],
  ['div_precision_increment', '4'],
  ['foreign_key_checks', '1'],
  ['group_concat_max_len', '1048576'],
  ['max_sort_length', '1024'],
  ['sql_auto_is_null', '0'],
  ['sql_if_exists', '0'],
  ['sql_safe_updates', '0'],
  ['sql_select_limit', '18446744073709551615'],
  ['system_versioning_asof', 'DEFAULT'],
  ['unique_checks', '1'],
  // What would end a statement or a transaction of ours in the middle; what it may take is decided by the pool.
  ['idle_readonly_transaction_timeout', '0'],
  ['idle_transaction_timeout', '0'],
  ['idle_write_transaction_timeout', '0'],
  ['max_execution_time', '0'],
  // Setting the one switches the other off.
  ['max_join_size', '18446744073709551615'],
  ['sql_big_selects', '1'],
  ['max_session_mem_used', '9223372036854775807'],
  ['max_statement_time', '0'],
  // What would make it look at whole tables, and wait for all their rows: 1,000 ids as a join, or as too much for a range.
  ['in_predicate_conversion_threshold', '0'],
  ['range_optimizer_max_mem_size', '0'],
]);

/** What is set by session.ts itself, with values of the pool or by statements of its own. */
const SET_APART = `
  character_set_client character_set_connection character_set_results collation_connection innodb_lock_wait_timeout
  lock_wait_timeout net_write_timeout sql_mode time_zone transaction_isolation transaction_read_only tx_isolation tx_read_only
  wait_timeout wsrep_sync_wait`;

/** Why a variable is left as it is, and those of which that is so. */
const LEFT: readonly (readonly [string, string])[] = [
  [
    'only how fast, or with how much memory, a statement runs',
    `aria_repair_threads aria_sort_buffer_size aria_stats_method big_tables bulk_insert_buffer_size
     connection_memory_chunk_size eq_range_index_dive_limit expensive_subquery_limit global_connection_memory_tracking
     histogram_generation_max_mem_size histogram_size histogram_type information_schema_stats_expiry innodb_ddl_buffer_size
     innodb_ddl_threads innodb_parallel_read_threads internal_tmp_mem_storage_engine join_buffer_size join_buffer_space_limit
     join_cache_level low_priority_updates max_delayed_threads max_heap_table_size max_insert_delayed_threads
     max_length_for_sort_data max_rowid_filter_size max_seeks_for_key mrr_buffer_size myisam_repair_threads
     myisam_sort_buffer_size myisam_stats_method optimizer_adjust_secondary_key_costs optimizer_extra_pruning_depth
     optimizer_join_limit_pref_ratio optimizer_max_sel_arg_weight optimizer_max_sel_args optimizer_max_subgraph_pairs
     optimizer_prune_level optimizer_search_depth optimizer_selectivity_sampling_limit optimizer_switch
     optimizer_use_condition_selectivity preload_buffer_size query_alloc_block_size query_prealloc_size range_alloc_block_size
     read_buffer_size read_rnd_buffer_size rowid_merge_buff_size secondary_engine_cost_threshold select_into_buffer_size
     set_operations_buffer_size sort_buffer_size sql_buffer_result tcp_nodelay thread_pool_priority tmp_disk_table_size
     tmp_memory_table_size tmp_table_size transaction_alloc_block_size transaction_prealloc_size use_secondary_engine
     use_stat_tables analyze_max_length analyze_sample_percentage enable_secondary_engine_statistics old_alter_table
     query_cache_type query_cache_strip_comments query_cache_wlock_invalidate updatable_views_with_limit
     deadlock_search_depth_long deadlock_search_depth_short deadlock_timeout_long deadlock_timeout_short`,
  ],
  [
    'only what is written to logs, traces, warnings and the words of messages; we go by numbers',
    `binlog_annotate_row_events binlog_rows_query_log_events end_markers_in_json error_count explain_format
     explain_json_format_version lc_messages lc_time_names log_disabled_statements log_queries_not_using_indexes
     log_slow_admin_statements log_slow_disabled_statements log_slow_filter log_slow_max_warnings
     log_slow_min_examined_row_limit log_slow_query log_slow_query_time log_slow_rate_limit log_slow_slave_statements
     log_slow_verbosity log_warnings long_query_time max_error_count min_examined_row_limit note_verbosity optimizer_trace
     optimizer_trace_features optimizer_trace_limit optimizer_trace_max_mem_size optimizer_trace_offset
     print_identified_with_as_hex profiling profiling_history_size progress_report_time slow_query_log sql_log_off sql_notes
     sql_warnings terminology_use_previous warning_count`,
  ],
  [
    'of this session or statement alone: there is no global value, or the server sets it',
    `external_user gtid_next gtid_owned gtid_seq_no identity immediate_server_version in_transaction insert_id last_gtid
     last_insert_id original_commit_timestamp original_server_version proxy_user pseudo_replica_mode pseudo_slave_mode
     pseudo_thread_id rand_seed1 rand_seed2 require_row_format resultset_metadata server_id
     show_create_table_skip_secondary_engine skip_parallel_replication skip_replication sql_log_bin statement_id timestamp
     transaction_allow_batching wsrep_gtid_seq_no character_set_database collation_database default_master_connection
     sql_slave_skip_counter max_relay_log_size`,
  ],
  [
    'a matter of the administrator (replication, encryption, limits), which an account may not set, or should not',
    `auto_increment_increment auto_increment_offset binlog_alter_two_phase binlog_direct_non_transactional_updates
     binlog_format binlog_row_image binlog_row_value_options binlog_transaction_compression
     binlog_transaction_compression_level_zstd connection_memory_limit default_table_encryption enforce_storage_engine
     gtid_domain_id group_replication_consistency innodb_compression_default innodb_default_encryption_key_id
     innodb_strict_mode innodb_tmpdir max_allowed_packet max_tmp_tables max_user_connections net_buffer_length
     net_read_timeout net_retry_count parser_max_mem_size rbr_exec_mode session_track_gtids session_track_schema
     session_track_state_change session_track_system_variables session_track_transaction_info wsrep_on wsrep_osu_method
     wsrep_causal_reads wsrep_dirty_reads wsrep_retry_autocommit wsrep_trx_fragment_size wsrep_trx_fragment_unit
     xa_detach_on_prepare enable_cascade_triggers restrict_fk_on_non_standard_key`,
  ],
  [
    'about something that our statements do not use, or say themselves (engine and character set of tables)',
    `block_encryption_mode character_set_filesystem character_set_server collation_server column_compression_threshold
     column_compression_zlib_level column_compression_zlib_strategy column_compression_zlib_wrap cte_max_recursion_depth
     default_collation_for_utf8mb4 default_storage_engine default_tmp_storage_engine default_week_format explicit_defaults_for_timestamp
     external_table_secondary_storage_engine external_table_storage_engine generated_random_password_length
     innodb_ft_enable_stopword innodb_ft_user_stopword_table innodb_snapshot_isolation innodb_table_locks
     interactive_timeout keep_files_on_create max_points_in_geometry max_recursive_iterations max_sp_recursion_depth old
     old_mode old_passwords select_into_disk_sync select_into_disk_sync_delay
     show_create_table_verbosity show_gipk_in_create_table_and_information_schema sql_generate_invisible_primary_key
     sql_quote_show_create sql_require_primary_key standard_compliant_cte storage_engine system_versioning_alter_history
     system_versioning_insert_history windowing_use_high_precision`,
  ],
];

/** What is decided of a variable: what sets it, or why it is left alone. Undefined: nothing is, so somebody has to. */
export function decisionOn(variable: string): string | undefined {
  const setting = SESSION_SETTINGS.get(variable);
  if (setting !== undefined) return `set to ${setting}`;
  const isIn = (names: string): boolean => names.split(/\s+/).includes(variable);
  if (isIn(SET_APART)) return 'set with the session';
  return LEFT.find(([, names]) => isIn(names))?.[0];
}
