package smart

// attributeName returns a name for an id, for pages that were read without a drive
// database. Vendors give some ids other meanings. The names are the usual ones of
// the trade, of ATA drafts and vendors' manuals.
func attributeName(id uint8) string {
	if n := attributeNames[id]; n != "" {
		return n
	}
	return "Unknown_Attribute"
}

var attributeNames = [256]string{
	1: "Read_Error_Rate", 2: "Throughput_Performance", 3: "Spin_Up_Time", 4: "Start_Stop_Count",
	5: "Reallocated_Sectors", 7: "Seek_Error_Rate", 8: "Seek_Time_Performance", 9: "Power_On_Hours",
	10: "Spin_Retry_Count", 11: "Calibration_Retries", 12: "Power_Cycle_Count", 13: "Soft_Read_Error_Rate",
	22: "Helium_Level", 170: "Reserve_Blocks", 171: "Program_Failures", 172: "Erase_Failures", 173: "Wear_Leveling",
	174: "Unexpected_Power_Loss", 175: "Power_Loss_Protection", 177: "Wear_Range", 179: "Used_Reserve_Blocks",
	180: "Unused_Reserve_Blocks", 181: "Program_Failures_Total", 182: "Erase_Failures_Total", 183: "SATA_Downshifts",
	184: "End_To_End_Errors", 187: "Reported_Uncorrectable", 188: "Command_Timeouts", 189: "High_Fly_Writes",
	190: "Airflow_Temperature", 191: "Shock_Errors", 192: "Emergency_Retracts", 193: "Load_Cycles",
	194: "Temperature", 195: "ECC_Recovered", 196: "Reallocation_Events", 197: "Pending_Sectors",
	198: "Offline_Uncorrectable_Sectors", 199: "Interface_CRC_Errors", 200: "Write_Error_Rate",
	201: "Soft_Read_Errors", 202: "Data_Address_Mark_Errors", 206: "Flying_Height", 220: "Disk_Shift",
	222: "Loaded_Hours", 223: "Load_Retries", 225: "Load_Cycles", 231: "Life_Left", 232: "Available_Reserve",
	233: "Media_Wearout", 234: "Average_Erase_Counts", 235: "Good_Block_Counts", 240: "Head_Flying_Hours",
	241: "Total_Written", 242: "Total_Read", 249: "NAND_Writes", 250: "Read_Retries", 254: "Free_Fall_Events",
}
